const fastify = require('fastify')();

fastify.get('/', async () => ({ hello: 'from fastify' }));
fastify.listen({ port: Number(process.env.APP_PORT), host: '127.0.0.1' }).catch((error) => {
  console.error(error);
  process.exit(1);
});
