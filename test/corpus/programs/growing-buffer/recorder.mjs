class Recorder {
  constructor(station) {
    this.station = station;
    this.recording = Buffer.alloc(0);
    this.frames = 0;
  }

  write(frame) {
    this.recording = Buffer.concat([this.recording, frame]);
    this.frames += 1;
  }

  tail(bytes) {
    return this.recording.subarray(-bytes);
  }
}

const recorder = new Recorder('north');

function encodeFrame(number) {
  const frame = Buffer.alloc(1024, number % 256);
  frame.writeUInt32BE(number, 0);
  return frame;
}

export async function receiveFrame(number) {
  recorder.write(encodeFrame(number));
  return recorder.tail(16).length;
}
