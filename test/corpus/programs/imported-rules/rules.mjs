/** Customers write discount rules as small modules; each revision is loaded as one. */
export async function loadRule(source, revision) {
  const code = `// revision ${revision}\n${source}`;
  const { rule } = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  return rule;
}
