const express = require('express');
const { applyFlags } = require('./flags.js');

const app = express();
app.use(express.json());

app.post('/admin/flags', (req, res) => {
  res.json(applyFlags(app, req.body));
});

app.get('/checkout', (req, res) => {
  res.send(`checkout ${req.flags?.checkout ?? 'v1'}`);
});

applyFlags(app, {});

app.listen(process.env.PORT);
