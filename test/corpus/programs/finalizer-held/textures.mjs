const device = { allocated: 0, freed: 0 };

const cleaner = new FinalizationRegistry(({ handle }) => {
  device.freed += 1;
  device.allocated -= handle > 0 ? 1 : 0;
});

class Texture {
  constructor(name, width, height) {
    this.name = name;
    this.size = [width, height];
    this.mipmaps = Array.from({ length: 6 }, (_, level) => ({ level, width: width >> level, height: height >> level }));
    this.handle = device.allocated += 1;
    cleaner.register(this, { handle: this.handle, texture: this });
  }
}

export async function drawFrame(number) {
  const sprite = new Texture(`sprite-${number}`, 64, 64);
  const shadow = new Texture(`shadow-${number}`, 32, 32);
  return sprite.mipmaps.length + shadow.mipmaps.length;
}
