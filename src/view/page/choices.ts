/** Buttons side by side, of which one is chosen. */
import { button, make } from './elements.ts';

export class Choices<Choice extends string> {
  readonly element: HTMLElement;
  readonly #buttons: readonly { readonly choice: Choice; readonly element: HTMLButtonElement }[];

  /** `label` is read aloud; `lead` stands before the buttons. */
  constructor(
    label: string,
    lead: string,
    choices: readonly (readonly [choice: Choice, text: string])[],
    onChoose: (choice: Choice) => void,
  ) {
    this.#buttons = choices.map(([choice, text]) => ({ choice, element: button(text, {}, () => onChoose(choice)) }));
    const elements = this.#buttons.map(({ element }) => element);
    this.element = make('div', { class: 'flame-views', role: 'group', 'aria-label': label }, lead, ...elements);
  }

  show(chosen: Choice): void {
    for (const { choice, element } of this.#buttons) element.setAttribute('aria-pressed', String(choice === chosen));
  }
}
