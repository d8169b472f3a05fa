import { History } from './commands.ts';

interface Shape {
  readonly id: number;
  points: { x: number; y: number }[];
  colour: string;
}

const shapes = new Map<number, Shape>();
const history = new History();

function move(shape: Shape, dx: number, dy: number): void {
  history.perform(() => {
    const before = shape.points;
    shape.points = before.map(({ x, y }) => ({ x: x + dx, y: y + dy }));
    return () => {
      shape.points = before;
    };
  });
}

export async function drag(step: number): Promise<number> {
  const id = step % 12;
  const shape = shapes.get(id) ?? {
    id,
    colour: 'teal',
    points: Array.from({ length: 10 }, (_, i) => ({ x: i, y: i * i })),
  };
  shapes.set(id, shape);
  move(shape, 1.5, -0.5);
  if (step % 10 === 0) history.undo();
  return history.depth;
}
