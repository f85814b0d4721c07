// The ways to give the page a photo: the first screen's buttons, a drop anywhere, Ctrl+V. Each ends in a drop on
// gradio's image input, which clears an earlier photo and uploads the new one whatever the input shows.
(() => {
  const ENDINGS = 'image/*,.heic,.heif,.avif';  // some browsers know no type for the last ones
  const block = () => {
    const shown = [...document.querySelectorAll('.takes-photos:not(#camera)')].filter(each => each.offsetParent);
    return shown.find(each => !each.querySelector('img')) ?? shown[0];
  };

  const openFind = () => document.querySelector('.tab-container [role=tab]')?.click();

  const give = file => {
    if (!file) return;
    if (!block()) openFind();
    // gradio's input ignores what is no picture; the server says what is wrong with it
    const photo = file.type.startsWith('image/') ? file : new File([file], file.name, {type: 'image/unknown'});
    const carried = new DataTransfer();
    carried.items.add(photo);
    const drop = new DragEvent('drop', {dataTransfer: carried, bubbles: true, cancelable: true});
    (block() ?? document.querySelector('#photo')).querySelector('.upload-container').dispatchEvent(drop);
  };

  const chooser = Object.assign(document.createElement('input'), {type: 'file', accept: ENDINGS});
  chooser.addEventListener('change', () => give(chooser.files[0]));
  const choose = () => {
    chooser.value = '';  // so that the same photo can be chosen again
    chooser.click();
  };

  // Returns the first element with this selector, as soon as there is one.
  window.appears = selector => new Promise(found => {
    const look = () => {
      const there = document.querySelector(selector);
      if (there) watch.disconnect(), found(there);
    };
    const watch = new MutationObserver(look);
    watch.observe(document.body, {childList: true, subtree: true});
    look();
  });

  const selfie = async () => {
    const photo = document.querySelector('#photo');
    photo.querySelectorAll('[data-testid=source-select] button')[1].click();
    photo.scrollIntoView({block: 'nearest'});
    (await appears('#photo [title="grant webcam access"] button')).click();
  };

  const example = async picture => {
    const drawn = await (await fetch(picture.src)).blob();
    give(new File([drawn], 'example.jpg', {type: drawn.type}));
  };

  document.addEventListener('click', ({target}) => {
    if (target.closest('#selfie')) selfie();
    else if (target.closest('#choose')) choose();
    else if (target.closest('.example')) example(target.closest('.example').querySelector('img'));
  });

  const mark = on => document.documentElement.classList.toggle('dragging', on);
  addEventListener('dragover', event => {
    if (!event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    mark(true);
  });
  addEventListener('dragleave', event => event.relatedTarget || mark(false));
  addEventListener('drop', () => mark(false), true);
  addEventListener('drop', event => {
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    give(event.dataTransfer.files[0]);
  });
  addEventListener('paste', event => give(event.clipboardData.files[0]));
})();
