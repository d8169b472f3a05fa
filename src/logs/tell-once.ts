/** For what fails again and again in the same way: each sentence is passed on once. */
export const tellOnce = (tell: (message: string) => void): ((message: string) => void) => {
  const told = new Set<string>();
  return (message) => {
    if (told.has(message)) return;
    told.add(message);
    tell(message);
  };
};
