import { expect } from 'chai';
import { checkPrerequisites, describeMissing, findPython } from '../../scripts/setup/prerequisites.mjs';

/** A machine on which only the given commands answer, with what they print. */
function machine(answers: Readonly<Record<string, string>>) {
  return {
    ask: (command: string) => answers[command] ?? null,
    nodeVersion: '20.19.0',
    platform: 'linux',
    environment: {},
  };
}

const complete = {
  python3: '3.11.7',
  'c++': 'c++ 12.2.0',
  cmake: 'cmake version 3.20.0',
  make: 'GNU Make 4.3',
};

describe('prerequisites', () => {
  it('are all there on a complete machine', () => {
    const prerequisites = checkPrerequisites(machine(complete));
    expect(prerequisites.map(({ found }) => found)).to.deep.equal([true, true, true, true, true]);
    expect(describeMissing(prerequisites)).to.equal(null);
  });

  it('are all named at once on an empty machine, each with its remedy', () => {
    const message = describeMissing(checkPrerequisites({ ...machine({}), nodeVersion: '18.20.4' }));
    expect(message).to.equal(
      [
        'Some things that causal-tracer is built with are missing:',
        '  Node 20.19 or newer (of 22: 22.12 or newer) (this is 18.20.4)',
        '      remedy: install a current release from https://nodejs.org',
        '  Python 3.10 or newer, with venv (no python3 or python on the PATH)',
        '      remedy: apt-get install python3 python3-venv python3-pip (or set CAUSAL_TRACER_PYTHON)',
        '  a C++20 compiler (no c++, g++, clang++ on the PATH)',
        '      remedy: apt-get install g++ (or set CXX)',
        '  CMake 3.20 or newer (no cmake on the PATH)',
        '      remedy: apt-get install cmake',
        '  Ninja or Make (neither is on the PATH)',
        '      remedy: apt-get install ninja-build',
      ].join('\n'),
    );
  });

  it('have remedies for macOS and Windows', () => {
    const missingOn = (platform: string) =>
      describeMissing(checkPrerequisites({ ...machine({}), platform })) ?? '';
    expect(missingOn('darwin')).to.contain('brew install cmake').and.to.contain('xcode-select --install');
    expect(missingOn('win32'))
      .to.contain('winget install Kitware.CMake')
      .and.to.contain('Python.Python.3.13');
  });

  for (const [version, supported] of [
    ['20.18.3', false],
    ['20.19.0', true],
    ['21.7.0', false],
    ['22.11.0', false],
    ['22.12.0', true],
    ['24.0.0', true],
  ] as const) {
    it(`${supported ? 'accept' : 'refuse'} Node ${version}`, () => {
      const [node] = checkPrerequisites({ ...machine(complete), nodeVersion: version });
      expect(node?.found).to.equal(supported);
    });
  }

  it('refuse an old CMake and say which it is', () => {
    const message = describeMissing(
      checkPrerequisites(machine({ ...complete, cmake: 'cmake version 3.18.4' })),
    );
    expect(message).to.contain('CMake 3.20 or newer (this is 3.18.4)');
  });

  it('say of a Python without venv that it lacks it', () => {
    const ask = (command: string, parameters: readonly string[]) =>
      command === 'python3' && !parameters.join(' ').includes('venv') ? '3.11.7' : null;
    const message = describeMissing(checkPrerequisites({ ...machine({}), ask }));
    expect(message).to.contain('(python3 is 3.11.7, but lacks its modules venv and ensurepip)');
  });

  it('say of an old compiler that it does not compile C++20', () => {
    const ask = (command: string, parameters: readonly string[]) =>
      command === 'g++' && parameters[0] === '--version' ? 'g++ 8.3.0\nCopyright' : null;
    const message = describeMissing(checkPrerequisites({ ...machine({}), ask }));
    expect(message).to.contain('(g++ does not compile C++20: g++ 8.3.0)');
  });

  it('look at CXX alone if it is set', () => {
    const prerequisites = checkPrerequisites({ ...machine(complete), environment: { CXX: 'clang++-16' } });
    expect(describeMissing(prerequisites)).to.contain('(no clang++-16 on the PATH)');
  });
});

describe('findPython', () => {
  it('takes CAUSAL_TRACER_PYTHON before all others', () => {
    const found = findPython({
      ...machine({ python3: '3.12.1', '/opt/python': '3.11.0' }),
      environment: { CAUSAL_TRACER_PYTHON: '/opt/python' },
    });
    expect(found).to.deep.equal({ command: '/opt/python', version: '3.11.0', hasTorch: true });
  });

  it('passes over a Python that is too old', () => {
    const found = findPython(machine({ python3: '3.9.18', 'python3.12': '3.12.1' }));
    expect(found).to.deep.equal({ command: 'python3.12', version: '3.12.1', hasTorch: true });
  });

  it('prefers a Python that has wheels of the pinned PyTorch', () => {
    const found = findPython(machine({ python3: '3.15.0', 'python3.13': '3.13.0' }));
    expect(found).to.deep.equal({ command: 'python3.13', version: '3.13.0', hasTorch: true });
  });

  it('makes do with a newer one', () => {
    expect(findPython(machine({ python3: '3.15.0' }))).to.deep.equal({
      command: 'python3',
      version: '3.15.0',
      hasTorch: false,
    });
  });
});
