export async function reportErrors(ctx, next) {
  const report = { path: ctx.path, client: ctx.get('x-client'), at: Date.now(), problems: [] };
  ctx.app.on('error', (error, failed) => {
    if (failed !== ctx) return;
    report.problems.push(error.message);
  });
  await next();
}
