/** Gives the memory of a large array back at once, where Node can (from 22 on); otherwise the garbage collector does later. */
export function release(memory: ArrayBuffer): void {
  const { transfer } = memory as Partial<ArrayBuffer>;
  transfer?.call(memory, 0);
}
