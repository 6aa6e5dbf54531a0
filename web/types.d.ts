declare module '*.css';
interface ImportMeta {
  glob(pattern: string, options: { query: '?raw'; import: 'default' }): Record<string, () => Promise<string>>;
}
/** Made by `build/embed.js`. */
declare module 'virtual:agent-chaos' {
  /** What a poster says of the presets: their titles, summaries and, recorded, what they come to. */
  export const posters: Record<string, { title: string; summary: string; verdict: string }>;
  /** The styles inside the shadow root. */
  export const sheet: string;
  /** Whether the playground stands beside this module. */
  export const beside: boolean;
}
