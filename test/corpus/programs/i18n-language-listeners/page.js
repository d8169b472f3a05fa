const i18next = require('i18next');

class Page {
  constructor(name, count) {
    this.name = name;
    this.count = count;
    this.parts = [];
    this.render();
    i18next.on('languageChanged', () => this.render());
  }

  render() {
    this.parts = [i18next.t('hello', { name: this.name }), i18next.t('items', { count: this.count })];
  }
}

exports.renderPage = (name, count) => new Page(name, count).parts.map((part) => `<p>${part}</p>`).join('\n');
