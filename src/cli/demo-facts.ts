/** A fact that a demo model knows, and how the demo traces it. */
export interface DemoFact {
  /** Name of the model's folder below models/. */
  readonly model: string;
  /** Begins the names of the pictures. */
  readonly name: string;
  readonly prompt: string;
  readonly subject: string;
  /** What the model is to answer; the demo says so if it does not. */
  readonly answer: string;
}

export const DEMO_FACTS: readonly DemoFact[] = [
  {
    model: 'demo-gpt2',
    name: 'eiffel-tower',
    prompt: 'The Eiffel Tower is located in the city of',
    subject: 'The Eiffel Tower',
    answer: 'Paris',
  },
  {
    model: 'demo-llama',
    name: 'marie-curie',
    prompt: 'The native language of Marie Curie is',
    subject: 'Marie Curie',
    answer: 'Polish',
  },
];

/** Layers restored together for each kind: contributions of single MLP and attention layers are small. */
export const DEMO_WINDOWS = { hidden: 1, mlp: 3, attention: 3 } as const;
