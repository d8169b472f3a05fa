export class Unit {
  readonly name: string;
  parent: Unit | undefined;
  readonly units: Unit[] = [];
  readonly members: string[] = [];

  constructor(name: string, parent?: Unit) {
    this.name = name;
    this.parent = parent;
    parent?.units.push(this);
  }

  *walk(): Generator<Unit> {
    yield this;
    for (const unit of this.units) yield* unit.walk();
  }
}

export class OrgChart {
  readonly root = new Unit('company');
  readonly #byName = new Map<string, Unit>([['company', this.root]]);

  add(name: string, under: string): Unit {
    const unit = new Unit(name, this.#byName.get(under) ?? this.root);
    this.#byName.set(name, unit);
    return unit;
  }

  /** Takes a unit off with all that is below it. */
  dissolve(name: string): void {
    const unit = this.#byName.get(name);
    if (unit?.parent === undefined) return;
    unit.parent.units.splice(unit.parent.units.indexOf(unit), 1);
    unit.parent = undefined;
    this.#byName.delete(name);
  }
}
