interface Node {
  children: Map<string, Node>;
  uses: number;
}

export class Trie {
  #root: Node = { children: new Map(), uses: 0 };

  insert(word: string): void {
    let node = this.#root;
    for (const letter of word) {
      let child = node.children.get(letter);
      if (!child) node.children.set(letter, (child = { children: new Map(), uses: 0 }));
      node = child;
    }
    node.uses++;
  }

  below(prefix: string): number {
    let node: Node | undefined = this.#root;
    for (const letter of prefix) node = node?.children.get(letter);
    return node?.children.size ?? 0;
  }
}
