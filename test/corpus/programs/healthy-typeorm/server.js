const express = require('express');
const { DataSource, EntitySchema, LessThan } = require('typeorm');

const Note = new EntitySchema({
  name: 'Note',
  columns: {
    id: { type: Number, primary: true, generated: true },
    text: { type: String },
  },
});

const dataSource = new DataSource({ type: 'sqljs', entities: [Note], synchronize: true });
const app = express();
app.use(express.json());

app.post('/notes', async (req, res) => {
  const notes = dataSource.getRepository(Note);
  const note = await notes.save(notes.create({ text: req.body.text }));
  await notes.delete({ id: LessThan(note.id - 20) });
  res.status(201).json(note);
});

app.get('/notes', async (_req, res) => {
  res.json(await dataSource.getRepository(Note).find({ order: { id: 'DESC' }, take: 5 }));
});

dataSource.initialize().then(() => app.listen(process.env.PORT));
