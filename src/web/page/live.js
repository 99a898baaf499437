(() => {
  const live = () => document.getElementById("live");
  let wait = 1000;
  const soon = () => { if (live() && "running" in live().dataset) setTimeout(look, wait); };
  const look = async () => {
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) throw answer.status;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("live");
      if (!fresh) return location.reload();
      if (live().innerHTML !== fresh.innerHTML) live().replaceChildren(...fresh.childNodes);
      if (!("running" in fresh.dataset)) delete live().dataset.running;
      document.title = page.title;
      wait = Math.min(5000, wait * 1.05);
    } catch {
      wait = 5000;
    }
    soon();
  };
  soon();
})();
