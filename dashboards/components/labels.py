"""Names of the API's values in the reader's words."""

ORDER_STATES = {
    "awaiting_payment": "Aguardando pagamento",
    "pending": "Pendente",
    "processed": "Processado",
    "shipped": "Enviado",
    "delivered": "Entregue",
    "cancelled": "Cancelado",
    "returned": "Devolvido",
    "payment_denied": "Pagamento negado",
    "failed": "Falhou",
}
"""In the order in which an order goes through them."""
PAYMENT_OUTCOMES = {
    "approved": "Aprovado",
    "denied": "Negado",
    "error": "Com erro",
    "timeout": "Sem resposta",
}
RUN_STATES = {
    "processing": "Em andamento",
    "done": "Concluída",
    "error": "Com erro",
    "cancelled": "Cancelada",
    "interrupted": "Interrompida",
}
CHANGES = {
    "adicionados": ("novo", "novos"),
    "removidos": ("removido", "removidos"),
    "reprecificados": ("com outro preço", "com outro preço"),
    "reestocados": ("com outro estoque", "com outro estoque"),
    "editados": ("editado", "editados"),
}
"""Of one book, and of more."""
BOOK_CHANGES = {
    "adicionado": "Novo",
    "removido": "Saiu da loja",
    "voltou": "Voltou à loja",
    "preco": "Outro preço",
    "estoque": "Outro estoque",
    "texto": "Texto editado",
}
TEXTS = {
    "titulo": "título",
    "categoria": "categoria",
    "rating": "avaliação",
    "url_imagem": "imagem",
    "descricao": "descrição",
    "upc": "UPC",
    "url_produto": "página",
}
CANDIDATES = {
    "regressao_logistica": "Regressão logística",
    "floresta_aleatoria": "Floresta aleatória",
    "boosting_de_gradiente": "Boosting de gradiente",
    "bayes_complementar": "Bayes complementar",
    "svm_linear": "SVM linear",
}
FEATURE_SETS = {
    "basico": "Conjunto básico: preços e exemplares",
    "ampliado": "Conjunto ampliado: também título e categoria",
}
SHORT_FEATURE_SETS = {"basico": "Básico", "ampliado": "Ampliado"}
FEATURES = {
    "preco_com_taxa": "Preço com taxa",
    "preco_sem_taxa": "Preço sem taxa",
    "disponibilidade": "Exemplares",
}


def stars(rating: int) -> str:
    return "★" * rating
