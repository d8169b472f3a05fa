class Container {
  constructor() {
    this.disposers = new Set();
  }

  onDispose(disposer) {
    this.disposers.add(disposer);
  }

  async dispose() {
    for (const disposer of this.disposers) await disposer();
    this.disposers.clear();
  }
}

module.exports = { container: new Container() };
