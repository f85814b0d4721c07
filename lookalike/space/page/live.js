// The Live tab's buttons. Each presses gradio's own; these selectors are the same in every language.
(() => {
  const GRANT = '[title="grant webcam access"] button';
  const RECORD = '#camera .capture-button:has([title="start recording"])';
  const camera = () => document.querySelector('#camera');

  let starting = false;  // until the visitor allows the camera; the next press asks again
  const start = async () => {
    camera().querySelector(GRANT)?.click();
    if (starting) return;
    starting = true;
    const record = await appears(RECORD);
    starting = false;
    record.click();
  };

  // A drop on the page is what it takes as a photo for the Find tab. The frame is not mirrored, as the model's are not.
  const snap = () => {
    const video = camera().querySelector('video');
    const sheet = Object.assign(document.createElement('canvas'), {width: video.videoWidth, height: video.videoHeight});
    sheet.getContext('2d').drawImage(video, 0, 0);
    sheet.toBlob(frame => {
      const carried = new DataTransfer();
      carried.items.add(new File([frame], 'snap.jpg', {type: frame.type}));
      document.body.dispatchEvent(new DragEvent('drop', {dataTransfer: carried, bubbles: true, cancelable: true}));
    }, 'image/jpeg', 0.95);
  };

  document.addEventListener('click', ({target}) => {
    if (target.closest('#start')) start();
    else if (target.closest('#snap')) snap();
  });
})();
