  // The address: everything a reader chose, so that it can be sent on.
  const search = one("#search"), selects = all("select[data-facet]");
  let state = {};
  const read = () => {
    const hash = location.hash.slice(1);
    state = hash.includes("=") ? Object.fromEntries(new URLSearchParams(hash)) : {};
    search.value = state.q || "";
    for (const select of selects) {
      select.value = state[select.dataset.facet] || "";
      if (select.selectedIndex < 0) { select.value = ""; delete state[select.dataset.facet]; }
    }
  };
  const note = () => {
    const kept = Object.fromEntries(Object.entries(state).filter(([, value]) => value));
    const hash = "#" + new URLSearchParams(kept);
    try { history.replaceState(null, "", hash); } catch { location.replace(hash); }
  };
  const choose = changes => { Object.assign(state, changes); note(); apply(); };

  const view = () => state.view === "attacks" && tables.attacks.size ? "attacks" : "classifiers";
  const fits = (table, i, kinds = [...KINDS, "attack"]) => {
    for (const kind of kinds) {
      const wanted = state[kind];
      if (wanted && !(kind === "attack" && table.attack[i] < 0) && facet(table, i, kind) !== wanted) return false;
    }
    const words = (state.q || "").toLowerCase().split(/\s+/);
    return words.every(word => table.text[i].includes(word));
  };
