class AuditSubscriber {
  constructor(user, path) {
    this.user = user;
    this.path = path;
    this.entries = [];
  }

  afterUpdate(event) {
    if (this.entries.length < 5)
      this.entries.push({
        user: this.user,
        path: this.path,
        columns: event.updatedColumns.map((column) => column.propertyName),
      });
  }
}

module.exports = { AuditSubscriber };
