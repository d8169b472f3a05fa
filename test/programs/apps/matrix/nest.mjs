/** The routes of the loss matrix in Nest, with its shutdown hooks on. */
import 'reflect-metadata';
import { All, Controller, Module, Req, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { echo, listener, PORT } from '../../../support/apps/routes.mjs';

class MatrixController {
  serve(request, response) {
    listener(request, response);
  }
}
const method = Object.getOwnPropertyDescriptor(MatrixController.prototype, 'serve');
// Decorators by hand: Node strips types, it does not compile decorators.
All(['/', '/upload', '/download', '/events'])(MatrixController.prototype, 'serve', method);
Req()(MatrixController.prototype, 'serve', 0);
Res()(MatrixController.prototype, 'serve', 1);
Controller()(MatrixController);

class MatrixModule {}
Module({ controllers: [MatrixController] })(MatrixModule);

const app = await NestFactory.create(MatrixModule, { logger: false, bodyParser: false });
app.enableShutdownHooks();
echo(app.getHttpServer());
await app.listen(PORT);
