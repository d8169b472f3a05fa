import fastify from 'fastify';

class MenuNode {
  children = [];
  parents = [];

  constructor(label) {
    this.label = label;
  }

  add(child) {
    this.children.push(child);
    child.parents.push(this);
    return this;
  }

  render() {
    return `<li>${this.label}<ul>${this.children.map((child) => child.render()).join('')}</ul></li>`;
  }
}

const footer = new MenuNode('footer');

const app = fastify();
app.get('/menu/:id', async (req, reply) => {
  const root = new MenuNode(`menu ${req.params.id}`);
  for (const label of ['home', 'shop', 'about']) root.add(new MenuNode(label).add(new MenuNode(`${label} more`)));
  root.add(footer);
  reply.type('text/html');
  return root.render();
});
app.listen({ port: +process.env.PORT, host: '127.0.0.1' });
