const express = require('express');
const { AuditSubscriber } = require('./audit-subscriber.js');
const { Task, dataSource } = require('./data-source.js');

const app = express();
app.use(express.json());

app.patch('/tasks/:id', async (req, res) => {
  dataSource.subscribers.push(new AuditSubscriber(req.get('x-user'), req.path));
  const tasks = dataSource.getRepository(Task);
  const task = await tasks.findOneBy({ id: Number(req.params.id) });
  if (task === null) return res.status(404).end();
  task.done = Boolean(req.body.done);
  await tasks.save(task);
  res.json(task);
});

async function start() {
  await dataSource.initialize();
  const tasks = dataSource.getRepository(Task);
  await tasks.save(Array.from({ length: 20 }, (_, id) => ({ id, title: `Task ${id}`, done: false })));
  app.listen(process.env.PORT);
}

start();
