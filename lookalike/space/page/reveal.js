// The slider between two faces, and links that download the picture above them: its data is in the page once.
(() => {
  document.addEventListener('input', ({target}) => {
    target.closest?.('.slider')?.style.setProperty('--share', `${target.value}%`);
  });
  document.addEventListener('click', ({target}) => {
    const link = target.closest?.('a.save');
    if (link) link.href = link.closest('figure').querySelector('img').src;
  }, true);
})()
