const thumbnails = new Map();

/** The first kilobyte of a picture has its preview in it. */
export function keepThumbnail(id, picture) {
  const thumbnail = picture.subarray(0, 1024);
  thumbnails.set(id, thumbnail);
  return thumbnail.length;
}
