const LIMIT = 50;

interface Command {
  readonly label: string;
  undo(): void;
}

class Editor {
  private done: Command[] = [];
  private text = 'An empty page';

  type(word: string): void {
    const before = this.text;
    this.text = `${before.split(' ').slice(-8).join(' ')} ${word}`;
    this.done.push({ label: `type ${word}`, undo: () => (this.text = before) });
    if (this.done.length > LIMIT) this.done.shift();
  }

  undo(): string {
    const command = this.done.pop();
    command?.undo();
    return command?.label ?? 'nothing';
  }

  get length(): number {
    return this.text.length;
  }
}

const editor = new Editor();

export async function type(number: number): Promise<number> {
  editor.type(`word${number}`);
  if (number % 5 === 0) editor.undo();
  return editor.length;
}
