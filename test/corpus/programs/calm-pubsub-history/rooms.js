const express = require('express');

const rooms = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [String(i), { name: `room ${i}`, history: [] }]));
const app = express();
app.use(express.json());
app.post('/rooms/:id', (req, res) => {
  const { history, name } = rooms[req.params.id];
  history.push({ text: req.body.text, at: new Date(), by: req.ip });
  if (history.length > 10) history.splice(0, history.length - 10);
  res.json({ name, count: history.length });
});
app.listen(process.env.PORT);
