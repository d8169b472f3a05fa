import { autorun, observable, runInAction } from 'mobx';

const store = observable({ visitors: 0, names: [] });

class View {
  constructor(name) {
    this.name = name;
    this.text = '';
    this.dispose = autorun(() => {
      this.text = `${this.name} sees ${store.visitors}: ${store.names.join(', ')}`;
    });
  }
}

const open = [];

export async function visit(number) {
  open.push(new View(`visitor ${number}`));
  if (open.length > 15) open.shift().dispose();
  runInAction(() => {
    store.visitors = number;
    store.names = open.map(({ name }) => name);
  });
  return open.at(-1).text;
}
