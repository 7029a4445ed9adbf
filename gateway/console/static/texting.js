// Counts while somebody writes; whether it may leave is looked at by the server in any case.
"use strict";

const text = document.getElementById("text");
const size = document.getElementById("size");
if (text && size) {
  const plain = /^[@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà\f^{}\\[~\]|€]*$/;
  const count = () => {
    const words = text.value.trim();
    const gsm = plain.test(words);
    const units = words.length + (gsm ? (words.match(/[\f^{}\\[~\]|€]/g) || []).length : 0);
    const [alone, joined] = gsm ? [160, 153] : [70, 67];
    const parts = units <= alone ? 1 : Math.ceil(units / joined);
    size.textContent = words ? `${units} / ${parts === 1 ? alone : parts * joined} · ${parts}/${text.dataset.parts}` : "";
    text.toggleAttribute("aria-invalid", parts > Number(text.dataset.parts));
  };
  text.addEventListener("input", count);
  count();
}
