class StatusPage {
  #history = '';

  note(service, state) {
    this.#history += `<li>${new Date().toISOString()} ${service}: ${state}</li>\n`;
  }

  get lastLine() {
    return this.#history.slice(this.#history.lastIndexOf('<li>'));
  }
}

export const page = new StatusPage();
