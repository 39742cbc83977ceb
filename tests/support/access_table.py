"""Who may call what: one line for each method and route, with the credentials that it admits."""

from __future__ import annotations

from app.web.access import Access

ACCESS_TABLE = """
GET   /                                         public
GET   /static/<path:filename>                   public
GET   /flasgger_static/<path:filename>          public
GET   /apidocs                                  public
GET   /apidocs/                                 public
GET   /apidocs/index.html                       public
GET   /oauth2-redirect.html                     public
GET   /apispec_1.json                           public
GET   /health                                   public
GET   /api/v1/health                            public
GET   /livez                                    public
GET   /readyz                                   public
GET   /metrics                                  metrics
GET   /api/v1/logs                              logs
POST  /api/v1/auth/login                        public
POST  /api/v1/auth/refresh                      refresh token
POST  /api/v1/auth/logout                       any token
POST  /api/v1/auth/password                     access token
POST  /api/v1/auth/newuser                      admin
GET   /api/v1/books                             public
GET   /api/v1/books/<int:book_idx>              public
GET   /api/v1/books/<int:book_idx>/similar      public
GET   /api/v1/books/search                      public
GET   /api/v1/books/facets                      public
GET   /api/v1/books/price-range                 public
GET   /api/v1/books/top-rated                   public
GET   /api/v1/books/<int:book_idx>/history      public
GET   /api/v1/changes                           public
POST  /api/v1/books/import                      operator
GET   /api/v1/categories                        public
GET   /api/v1/stats/overview                    public
GET   /api/v1/stats/categories                  public
GET   /api/v1/ml/features                       public
GET   /api/v1/ml/training-data                  public
POST  /api/v1/ml/predictions                    public
GET   /api/v1/ml/model                          public
GET   /api/v1/ml/status                         public
POST  /api/v1/ml/train                          operator
GET   /api/v1/ml/models                         operator
POST  /api/v1/ml/models/<int:version>/activate  operator
GET   /api/v1/scraping/status                   public
POST  /api/v1/scraping/trigger                  operator
POST  /api/v1/scraping/cancel                   operator
GET   /api/v1/scraping/runs                     operator
GET   /api/v1/scraping/runs/<int:run_id>        operator
GET   /api/v1/scraping/schedule                 public
PUT   /api/v1/scraping/schedule                 operator
DELETE /api/v1/scraping/schedule                operator
GET   /api/v1/simulation                        admin
PUT   /api/v1/simulation                        admin
POST  /orders                                   API key
GET   /orders                                   API key
GET   /orders/<order_id>                        public
PATCH /orders/<order_id>                        API key
PUT   /orders/<order_id>/status                 API key
"""
_OPERATORS = {"operator", "admin", "API key and operator"}
ADMITTED: dict[Access, set[str] | None] = {
    Access.PUBLIC: None,  # whatever is sent
    Access.LOGS: _OPERATORS,  # where the logs are not public
    Access.METRICS: None,  # where METRICS_TOKEN is not set
    Access.ACCESS_TOKEN: _OPERATORS,
    Access.REFRESH_TOKEN: {"refresh token"},
    Access.ANY_TOKEN: {*_OPERATORS, "refresh token"},
    Access.OPERATOR: _OPERATORS,
    Access.ADMIN: {"admin"},
    Access.API_KEY: {"API key", "API key and operator"},
}
LACKS_THE_ROLE = {Access.ADMIN: {"operator", "API key and operator"}}


def access_table() -> dict[tuple[str, str], Access]:
    """Return the access of each method and route."""
    lines = (line.split(maxsplit=2) for line in ACCESS_TABLE.strip().splitlines())
    return {(method, route): Access(access) for method, route, access in lines}
