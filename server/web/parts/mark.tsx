/** The mark of LetsApp. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 64 64" aria-hidden="true">
      <rect width="64" height="64" rx="15" fill="var(--accent)" />
      <path
        fill="var(--on-accent)"
        d="M32 14c-11 0-19 7-19 16.500c0 5.200 2.500 9.700 6.500 12.700l-1.700 7.200c-.2 1 .8 1.800 1.700 1.300l7.700-4.200c1.500.3 3.100.5 4.800.5 11 0 19-7 19-17.500S43 14 32 14z"
      />
      {[24, 32, 40].map((x) => (
        <circle key={x} cx={x} cy="31" r="2.800" fill="var(--accent)" />
      ))}
    </svg>
  );
}
