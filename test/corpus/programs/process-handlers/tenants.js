process.setMaxListeners(0);

const PLANS = ['free', 'team', 'enterprise'];

class TenantConnection {
  constructor(tenant) {
    this.tenant = tenant;
    this.settings = this.readSettings();
    this.reloads = 0;
  }

  readSettings() {
    return Object.fromEntries(
      ['quota', 'region', 'retention', 'alerts', 'theme'].map((name, index) => [
        name,
        `${this.tenant.name}:${name}:${index}`,
      ]),
    );
  }

  reload() {
    this.settings = this.readSettings();
    this.reloads += 1;
  }

  close() {
    this.closed = true;
  }
}

function connect(tenant) {
  const connection = new TenantConnection(tenant);
  process.on('SIGHUP', () => connection.reload());
  return connection;
}

exports.activateTenant = async (number) => {
  const tenant = { name: `tenant-${number % 12}`, plan: PLANS[number % 3], activatedAt: new Date() };
  const connection = connect(tenant);
  const { quota } = connection.settings;
  connection.close();
  return quota;
};
