// The switch "Private: on this device": the static site in a frame, which asks the server for nothing but its own files.
(() => {
  const isOn = () => document.body.classList.contains('private');

  window.showPrivate = on => {
    document.querySelector('#camera .feather-square')?.closest('button').click();
    window.stopCameras?.();
    document.body.classList.toggle('private', on);
    const place = document.querySelector('#private-frame');
    place.replaceChildren();
    if (!on) return;
    const words = Object.assign(document.createElement('p'), {textContent: pageTexts.script_private});
    const frame = document.createElement('iframe');
    frame.src = `private/?framed&lang=${pageLanguage}`;
    frame.title = pageTexts.script_private;
    frame.allow = 'camera; web-share';
    frame.addEventListener('load', () => {
      const {body, documentElement} = frame.contentDocument;
      new ResizeObserver(() => { frame.style.height = `${documentElement.offsetHeight + 8}px`; }).observe(body);
    });
    place.append(words, frame);
  };

  // A photo that is dropped or pasted beside the frame must not be taken by this page, which would send it.
  for (const kind of ['drop', 'dragover', 'paste']) {
    window.addEventListener(kind, event => {
      if (!isOn()) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    }, true);
  }
})();
