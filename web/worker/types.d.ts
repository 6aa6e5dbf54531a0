declare const release: { version: string; build: string; files: { [path: string]: string } };
