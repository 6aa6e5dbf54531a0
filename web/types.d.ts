declare module '*.css';
interface ImportMeta {
  glob(pattern: string, options: { query: '?raw'; import: 'default' }): Record<string, () => Promise<string>>;
}
