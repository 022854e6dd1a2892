// The description of whichever Worker serves this page; a key that is given stays in this tab until it is closed.
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: false,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
