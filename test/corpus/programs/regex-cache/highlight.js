const { createServer } = require('node:http');

class Highlighter {
  constructor(tag) {
    this.tag = tag;
    this.expressions = {};
  }

  expressionFor(term) {
    return (this.expressions[term] ??= new RegExp(`(${term.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')})`, 'giu'));
  }

  highlight(text, term) {
    return text.replace(this.expressionFor(term), `<${this.tag}>$1</${this.tag}>`);
  }
}

const highlighter = new Highlighter('mark');
const texts = ['A winter coat 17 for cold days', 'Summer hat', 'Winter coat 3 with a hood', 'Rain boots'];

createServer((request, response) => {
  const term = new URL(request.url, 'http://localhost').searchParams.get('term') ?? '';
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(texts.map((text) => highlighter.highlight(text, term))));
}).listen(process.env.PORT);
