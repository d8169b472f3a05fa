const http = require('node:http');
const i18next = require('i18next');
const { renderPage } = require('./page.js');

const resources = {
  en: { translation: { hello: 'Hello {{name}}', items: '{{count}} things in your basket' } },
  de: { translation: { hello: 'Hallo {{name}}', items: '{{count}} Dinge im Korb' } },
};

i18next.init({ lng: 'en', fallbackLng: 'en', resources, showSupportNotice: false }).then(() => {
  http
    .createServer((request, response) => {
      const url = new URL(request.url, 'http://localhost');
      response.end(renderPage(url.searchParams.get('name'), Number(url.searchParams.get('count'))));
    })
    .listen(process.env.PORT);
});
