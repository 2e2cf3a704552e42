/** Line icons on a grid of 24, in the colour of the text around them. */
const PATHS = {
  back: 'M15 5l-7 7 7 7',
  chat: 'M4 5h16v11H9l-5 4z',
  group:
    'M9 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM3 19c0-3 2.700-5 6-5s6 2 6 5M16 11a2.500 2.500 0 1 0 0-5M17 14c2.400.4 4 2.300 4 5',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5',
  people: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 20c0-3.300 3.600-5.500 8-5.500s8 2.200 8 5.500',
  settings:
    'M4 7h9M17 7h3M4 17h3M11 17h9M15 9.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM9 19.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z',
  send: 'M4 12l16-8-6 16-3-6.500z',
  attach:
    'M20 11l-8.500 8.500a5 5 0 0 1-7-7L13 4a3.300 3.300 0 0 1 4.700 4.700L9.300 17a1.600 1.600 0 0 1-2.300-2.300L14.500 7',
  mic: 'M12 15a3 3 0 0 0 3-3V6a3 3 0 0 0-6 0v6a3 3 0 0 0 3 3zM6 11v1a6 6 0 0 0 12 0v-1M12 18v3',
  micOff: 'M9 9v3a3 3 0 0 0 5 2.200M15 11V6a3 3 0 0 0-5.800-1M6 11v1a6 6 0 0 0 9.500 4.900M18 12v-1M12 18v3M4 4l16 16',
  phone:
    'M5 4h4l1.500 5L8 10.500a12 12 0 0 0 5.500 5.500l1.500-2.500 5 1.500v4a1 1 0 0 1-1 1A15 15 0 0 1 4 5a1 1 0 0 1 1-1z',
  hangUp: 'M3 14c5-5 13-5 18 0l-2.500 3-4-1.800v-2.900a11 11 0 0 0-5 0v2.900L5.500 17z',
  video: 'M3 7h12v10H3zM15 11l6-3.500v9L15 13',
  videoOff: 'M15 15v2H3V7h4M11 7h4v4l6-3.500v9l-3-1.700M4 4l16 16',
  screen: 'M3 5h18v11H3zM9 20h6M12 16v4',
  smile:
    'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8.500 14.500c1 1.500 2.200 2 3.500 2s2.500-.5 3.500-2M9 9.500v.5M15 9.500v.5',
  reply: 'M9 6L4 11l5 5M4 11h9a7 7 0 0 1 7 7v1',
  edit: 'M4 20l1-4L16 5l3 3L8 19zM14 7l3 3',
  remove: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  close: 'M6 6l12 12M18 6L6 18',
  plus: 'M12 5v14M5 12h14',
  file: 'M6 3h8l4 4v14H6zM14 3v4h4',
  check: 'M5 12.500l4.500 4.500L19 7',
  checks: 'M2 12.500l4.500 4.500L15 8M10.500 15.500l1.500 1.500L22 7',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2',
  warning: 'M12 4l9 16H3zM12 10v4M12 17v.5',
  down: 'M6 10l6 6 6-6',
  bell: 'M6 17V11a6 6 0 0 1 12 0v6l2 2H4zM10 21h4',
  pin: 'M9 4h6l-1 6 3 3H7l3-3zM12 13v7',
  unpin: 'M9 4h6l-1 6 3 3H7l3-3zM12 13v7M4 4l16 16',
  thread: 'M4 5h16v8H4zM8 13v6h12M12 16v6',
  more: 'M5 12.500a.5.5 0 1 0 0-1 .5.5 0 0 0 0 1zM12 12.500a.5.5 0 1 0 0-1 .5.5 0 0 0 0 1zM19 12.500a.5.5 0 1 0 0-1 .5.5 0 0 0 0 1z',
  forward: 'M15 6l5 5-5 5M20 11h-9a7 7 0 0 0-7 7v1',
  bookmark: 'M7 4h10v16l-5-4-5 4z',
  at: 'M15 9v4.5a2.500 2.500 0 0 0 5 0V12a8 8 0 1 0-3.500 6.600M12 15.500a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7z',
  link: 'M10 14l4-4M9 11l-2 2a3 3 0 0 0 4 4l2-2M15 13l2-2a3 3 0 0 0-4-4l-2 2',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 22 }: { name: IconName; size?: number }) {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** A button that shows an icon alone; its label is its name. */
export function IconButton({
  icon,
  label,
  onClick,
  kind = '',
  pressed,
  disabled,
}: {
  icon: IconName;
  label: string;
  onClick(event: MouseEvent): void;
  kind?: '' | 'main' | 'danger' | 'accept';
  pressed?: boolean;
  disabled?: boolean;
}) {
  return (
    <button
      type="button"
      class={`icon-button ${kind && `icon-button--${kind}`}`}
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  );
}
