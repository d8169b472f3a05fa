import EventEmitter from 'eventemitter3';

export const presence = new EventEmitter();
