import agentChaos from './agent-chaos.mjs';

const site = 'PLAYGROUND';

export default {
  title: 'Queues',
  url: 'https://example.org',
  baseUrl: '/',
  onBrokenLinks: 'throw',
  scripts: [{ src: `${site}agent-chaos.js`, type: 'module' }],
  presets: [
    [
      'classic',
      {
        blog: false,
        docs: { routeBasePath: '/', remarkPlugins: [[agentChaos, { site }]] },
      },
    ],
  ],
  themeConfig: { navbar: { title: 'Queues' } },
};
