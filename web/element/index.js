// The one module of the element: `<script type="module" src="agent-chaos.js"></script>`.

import { define } from './agent-chaos.js';

define();

export { AgentChaos, define } from './agent-chaos.js';
