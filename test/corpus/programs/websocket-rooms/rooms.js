const rooms = new Map();

class Room {
  constructor(name) {
    this.name = name;
    this.members = new Set();
    this.createdAt = Date.now();
  }

  broadcast(message) {
    const text = JSON.stringify(message);
    let count = 0;
    for (const { socket } of this.members) {
      if (socket.readyState !== 1) continue;
      socket.send(text);
      count += 1;
    }
    return count;
  }
}

function joinRoom(name, member) {
  let room = rooms.get(name);
  if (room === undefined) rooms.set(name, (room = new Room(name)));
  room.members.add(member);
  return room;
}

module.exports = { joinRoom };
