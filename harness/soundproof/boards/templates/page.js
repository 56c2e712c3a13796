"use strict";
(() => {
{% include "script/words.js" %}
{% include "script/charts.js" %}
{% include "script/state.js" %}
{% include "script/board.js" %}
{% include "script/row.js" %}
{% include "script/parts.js" %}
{% include "script/start.js" %}
})();
