const express = require('express');

const app = express();
app.use(express.json());

const accounts = new Map();
let trail = '';

function audit(action, id, by) {
  trail += `${new Date().toISOString()} ${by} ${action} account ${id} from the back office after a second look\n`;
}

app.put('/accounts/:id', (req, res) => {
  accounts.set(req.params.id, { limit: req.body.limit, changedAt: Date.now() });
  audit('changed', req.params.id, req.body.by);
  res.json(accounts.get(req.params.id));
});

app.get('/audit.txt', (_req, res) => {
  res.type('text').send(trail);
});

app.listen(process.env.PORT);
