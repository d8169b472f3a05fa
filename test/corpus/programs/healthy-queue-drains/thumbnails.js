const jobs = [];
const results = { made: 0, bytes: 0, failures: [] };

function enqueueAlbum(album) {
  for (let photo = 0; photo < 400; photo++) {
    jobs.push({ album, photo, sizes: [64, 256, 1024], attempts: 0, name: `${album}/${photo}.jpg` });
  }
}

async function makeThumbnails(job) {
  if (job.photo % 97 === 0 && job.attempts === 0) throw new Error(`could not read ${job.name}`);
  results.made += job.sizes.length;
  results.bytes += job.sizes.reduce((sum, size) => sum + size * 3, 0);
}

async function workOff() {
  while (jobs.length > 0) {
    const job = jobs.shift();
    try {
      await makeThumbnails(job);
    } catch (error) {
      job.attempts += 1;
      if (job.attempts < 3) jobs.push(job);
      else results.failures = [...results.failures.slice(-9), error.message];
    }
  }
}

exports.uploadAlbum = async (number) => {
  enqueueAlbum(`album-${number}`);
  await workOff();
  return results.made;
};
