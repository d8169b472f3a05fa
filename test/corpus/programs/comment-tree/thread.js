class CommentNode {
  constructor(author, text, parent = null) {
    this.author = author;
    this.text = text;
    this.parent = parent;
    this.children = [];
    parent?.children.push(this);
  }

  reply(author, text) {
    return new CommentNode(author, text, this);
  }

  detach() {
    const siblings = this.parent.children;
    siblings.splice(siblings.indexOf(this), 1);
    this.parent = null;
  }

  get size() {
    return this.children.reduce((sum, child) => sum + child.size, 1);
  }
}

const root = new CommentNode('editor', 'What do you think of the new page?');
const removed = [];

function remove(comment) {
  comment.detach();
  removed.push({ comment, at: Date.now() });
}

exports.moderate = async (number) => {
  const comment = root.reply(`user${number}`, `spam number ${number}`);
  comment.reply('someone', `Please stop, user${number}.`).reply('moderator', 'It will be removed.');
  remove(comment);
  return root.size;
};
