/**
 * Command and first arguments that run a program without any capability. It keeps its user id: a checkout below /root, which
 * Debian lets nobody else enter, can still be read.
 */
export const UNPRIVILEGED = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--'] as const
