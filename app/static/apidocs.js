const root = document.getElementById("swagger-ui");

window.ui = SwaggerUIBundle({
  domNode: root,
  url: root.dataset.document,
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
