const { DataSource, EntitySchema } = require('typeorm');

const Task = new EntitySchema({
  name: 'Task',
  columns: {
    id: { type: Number, primary: true },
    title: { type: String },
    done: { type: Boolean, default: false },
  },
});

const dataSource = new DataSource({ type: 'sqljs', entities: [Task], synchronize: true });

module.exports = { Task, dataSource };
