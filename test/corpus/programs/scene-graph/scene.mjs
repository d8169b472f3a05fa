class SceneNode {
  constructor(id, kind) {
    this.id = id;
    this.kind = kind;
    this.parent = null;
    this.children = [];
    this.matrix = new Float64Array(6);
  }

  add(child) {
    child.parent = this;
    this.children.push(child);
    return child;
  }

  remove(child) {
    this.children = this.children.filter((other) => other !== child);
    child.parent = null;
  }
}

class Scene {
  constructor() {
    this.root = new SceneNode('root', 'group');
    this.byId = {};
  }

  insert(id, kind, parent = this.root) {
    const node = parent.add(new SceneNode(id, kind));
    this.byId[id] = node;
    return node;
  }

  remove(id) {
    const node = this.byId[id];
    node.parent?.remove(node);
  }
}

const scene = new Scene();

export async function drawFrame(number) {
  const group = scene.insert(`sprite-${number}`, 'group');
  for (const part of ['body', 'wheels', 'shadow']) scene.insert(`sprite-${number}/${part}`, 'shape', group);
  scene.remove(`sprite-${number}`);
  return scene.root.children.length;
}
